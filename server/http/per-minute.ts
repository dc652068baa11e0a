/** How often one address may ask a route that costs something and needs no credential, in a route's `config.rateLimit`. Beyond it 429 with `Retry-After`. */
export const perMinute = (max: number) => ({ max, timeWindow: 60_000 })
