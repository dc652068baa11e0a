/** How every WebAssembly module with a section of types begins, in the base64 that Node's JavaScript holds one in. Source: WebAssembly core specification 3.0, 5.5.16. */
const wasmBase64 = 'AGFzbQEAAAAB'
/** Node holds a few small ones too, among them the parsers of its HTTP client. */
const leastChars = 1_000_000

/**
 * Takes the module that strips types from TypeScript out of a Node binary, in place: the worker is bundled as JavaScript. Its text, base64 in a string of
 * Node's own JavaScript, becomes zeros but for its beginning, so that nothing moves and all of it stays well-formed. Who asks for it is told that it
 * is no WebAssembly. Throws when `node` does not hold exactly one such module. Source: Node, `deps/amaro`.
 */
export function trimTypeStripper(node: Buffer): void {
  const found: { from: number; to: number }[] = []
  for (let at = node.indexOf(wasmBase64); at !== -1; at = node.indexOf(wasmBase64, at + 1)) {
    const to = node.indexOf('"', at)
    if (to - at >= leastChars) found.push({ from: at + wasmBase64.length, to })
  }
  const [stripper, ...others] = found
  if (stripper === undefined || others.length > 0) throw new Error(`expected one WebAssembly module of ${leastChars} characters or more in Node, got ${found.length}`)
  node.fill('A', stripper.from, stripper.to)
}
