/** Runs an act once its bytes fit into the window, and holds their place until it is done. */
export type ByteWindow = <Result>(bytes: number, act: () => Promise<Result>) => Promise<Result>

/** Lets acts run together as long as their bytes are `sizeBytes` at most in all, in the order in which they came; one that is larger runs alone. */
export function createByteWindow(sizeBytes: number): ByteWindow {
  let freeBytes = sizeBytes
  const waiting: { takenBytes: number; go: () => void }[] = []
  const letIn = (): void => {
    while (waiting[0] !== undefined && waiting[0].takenBytes <= freeBytes) {
      const { takenBytes, go } = waiting.shift()!
      freeBytes -= takenBytes
      go()
    }
  }
  return async (bytes, act) => {
    const takenBytes = Math.min(bytes, sizeBytes)
    await new Promise<void>((resolve) => {
      waiting.push({ takenBytes, go: resolve })
      letIn()
    })
    try {
      return await act()
    } finally {
      freeBytes += takenBytes
      letIn()
    }
  }
}
