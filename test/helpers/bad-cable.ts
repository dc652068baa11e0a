import { createSocket } from 'node:dgram'
import { run, start, type StartedProgram } from '../../appliance/run.ts'
import type { TestClient, TestNetwork } from './test-network.ts'

/** What happens to the frames of both directions, each by chance. */
export interface Disturbance {
  /** Share of frames that are lost, for example 0.05. */
  lost?: number
  /** Share of frames that come twice. */
  doubled?: number
  /** Milliseconds that a frame takes, anything between the two: one that was sent later may come first. */
  delayMs?: readonly [least: number, most: number]
}

const loopback = '127.0.0.1'
const ports = { machine: 7001, ofMachine: 7002, bridge: 7003, ofBridge: 7004 }

/**
 * Lays a cable between a QEMU machine and a tap that spoils what goes over it, as tc-netem(8) would, whose kernel module not every host has. QEMU sends
 * Ethernet frames as UDP datagrams; a second QEMU, which is no machine, hands them to the tap. Returns the argument of the machine's `-netdev`; the frames
 * that went over the cable are counted.
 */
export async function layBadCable(tap: string, { lost = 0, doubled = 0, delayMs: [least, most] = [0, 0] }: Disturbance): Promise<{ netdev: string; frames: { passed: number; lost: number }; hub: StartedProgram }> {
  const frames = { passed: 0, lost: 0 }
  const relay = async (from: number, to: number): Promise<void> => {
    const socket = createSocket('udp4')
    socket.on('message', (frame) => {
      const copies = Math.random() < lost ? 0 : Math.random() < doubled ? 2 : 1
      frames[copies === 0 ? 'lost' : 'passed']++
      for (let copy = 0; copy < copies; copy++) setTimeout(() => socket.send(frame, to, loopback), least + Math.random() * (most - least))
    })
    await new Promise<void>((resolve) => socket.bind(from, loopback, resolve))
  }
  await relay(ports.machine, ports.ofBridge)
  await relay(ports.bridge, ports.ofMachine)
  const between = (id: string, to: number, own: number) => `socket,id=${id},udp=${loopback}:${to},localaddr=${loopback}:${own}`
  const hub = await start('qemu-system-x86_64', [
    ...['-machine', 'none', '-nodefaults', '-display', 'none'],
    ...['-netdev', `tap,id=tap,ifname=${tap},script=no,downscript=no`, '-netdev', 'hubport,id=hub0,hubid=0,netdev=tap'],
    ...['-netdev', between('cable', ports.bridge, ports.ofBridge), '-netdev', 'hubport,id=hub1,hubid=0,netdev=cable'],
  ])
  return { netdev: between('net0', ports.machine, ports.ofMachine), frames, hub }
}

/** Moves a client of the test network to the far end of a bad cable. */
export async function moveBehindBadCable(network: TestNetwork, { name }: TestClient, disturbance: Disturbance): Promise<{ passed: number; lost: number }> {
  await network.addTap('near')
  await network.addTap('far')
  const { netdev, frames } = await layBadCable('near', disturbance)
  await start('qemu-system-x86_64', [
    ...['-machine', 'none', '-nodefaults', '-display', 'none', '-netdev', netdev, '-netdev', 'hubport,id=hub1,hubid=0,netdev=net0'],
    ...['-netdev', 'tap,id=tap,ifname=far,script=no,downscript=no', '-netdev', 'hubport,id=hub0,hubid=0,netdev=tap'],
  ])
  for (const args of [['link', 'add', 'behind', 'type', 'bridge'], ['link', 'set', 'behind', 'up'], ['link', 'set', 'far', 'master', 'behind'], ['link', 'set', `${name}-host`, 'master', 'behind']]) await run('ip', args)
  return frames
}
