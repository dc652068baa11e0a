/** `rack=b2 row=1`, or that there is none. */
export const renderLabels = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ') || 'no labels'
