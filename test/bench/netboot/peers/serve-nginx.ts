import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { benchNetwork } from '../bench-network.ts'
import { startServing, type ServeOptions, type Serving } from '../serving.ts'

/** HTTP with sendfile(2) and a worker for each processor, as Debian configures it. */
export async function serveNginx(options: ServeOptions): Promise<Serving> {
  const { directory, files } = options
  await mkdir(directory, { recursive: true })
  const config = join(directory, 'nginx.conf')
  const server = `server { listen ${benchNetwork.address}:8080; root ${files.rootDirectory}; }`
  const http = `http { sendfile on; tcp_nopush on; types_hash_max_size 2048; access_log off; default_type application/octet-stream; ${server} }`
  await writeFile(config, `user root; worker_processes auto; daemon off; pid ${directory}/pid; error_log stderr;\nevents { worker_connections 768; }\n${http}\n`)
  return startServing(['nginx', '-e', 'stderr', '-c', config], { protocol: 'tcp', port: 8080 }, options)
}
