import type { Run } from '../../appliance/run.ts'

/** Makes an empty disk that takes room only for what is written to it. */
export const createDisk = async (path: string, sizeBytes: number, run: Run): Promise<void> =>
  void (await run('qemu-img', ['create', '-q', '-f', 'qcow2', path, String(sizeBytes)]))

/** Makes a disk that begins as the raw disk `basePath`, which stays as it is. */
export const createOverlay = async (path: string, basePath: string, run: Run): Promise<void> =>
  void (await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', basePath, path]))
