/**
 * How long to wait after the nth failure in a row, in milliseconds: doubles from `firstMs` up to `capMs`, less up to half of it by chance, so
 * that many workers who lost the same server do not all come back at once. For example 500 to 1000 after the first failure with `firstMs: 1000`.
 */
export const backoffMs = (failures: number, { firstMs, capMs }: { firstMs: number; capMs: number }): number =>
  Math.min(capMs, firstMs * 2 ** (failures - 1)) * (1 - Math.random() / 2)
