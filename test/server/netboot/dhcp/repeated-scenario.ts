import { createSocket } from 'node:dgram'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestNetwork } from '../../../helpers/test-network.ts'
import { serve } from '../serve.ts'
import { datagram } from './datagram.ts'

/** What `repeated.test.ts` checks: the answers to a message that is repeated while its answer is on the way, and to the same once more after that. */
export async function scenario(network: TestNetwork): Promise<{ toThree: number; toOneMore: number }> {
  const served = await serve(network)
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => void socket.bind(68, network.address, resolve))
  let answers = 0
  const answered = () => new Promise<void>((resolve) => void socket.once('message', () => resolve()))
  socket.on('message', () => answers++)
  const ask = () => socket.send(datagram({ ciaddr: network.address }), 67, network.address)
  const first = answered()
  // Its answer takes the tenth of a second in which the server looks whether somebody has the address.
  for (let count = 0; count < 3; count++) ask()
  await first
  await sleep(500)
  const toThree = answers
  const second = answered()
  ask()
  await second
  const toOneMore = answers - toThree
  socket.close()
  await served.close()
  return { toThree, toOneMore }
}
