/** What the process inside the namespaces and the one that made them tell each other, over Node's IPC channel. */
export type NamespaceMessage =
  /** Inside → outside: the namespaces stand, the outside network may be brought in. */
  | { kind: 'standing' }
  /** Outside → inside: begin; the outside network is there, if it was wanted. */
  | { kind: 'begin' }
  /** Outside → inside: the user wants to stop. */
  | { kind: 'abort'; signal: string }

export const isNamespaceMessage = (message: unknown): message is NamespaceMessage =>
  typeof message === 'object' && message !== null && 'kind' in message && ['standing', 'begin', 'abort'].includes(String(message.kind))
