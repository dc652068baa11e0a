/* The image server of the benchmark, a process of its own as the first computer is: node image-server.ts DIRECTORY. Tells its address once it listens. */
import { startImageServer } from '../../server/image-store/image-server.ts'

const server = await startImageServer({ directory: process.argv[2]! })
process.send!(server.url)
