import { benchNetwork } from '../bench-network.ts'
import { startServing, type ServeOptions, type Serving } from '../serving.ts'

/** TFTP; it knows blksize, and no windowsize. */
export const serveTftpdHpa = (options: ServeOptions): Promise<Serving> =>
  startServing(
    ['in.tftpd', '--foreground', '--address', `${benchNetwork.address}:69`, '--user', 'root', '--secure', options.files.rootDirectory],
    { protocol: 'udp', port: 69 },
    options,
  )
