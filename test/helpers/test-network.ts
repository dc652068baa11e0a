import type { Run } from '../../appliance/run.ts'

/** A machine of the test network: a namespace of its own with `eth0` on the bridge, and no address yet. */
export interface TestClient {
  /** Of its namespace, for `ip netns exec`. */
  name: string
  /** Machine id, for example `02-00-00-00-00-01`. */
  machine: string
  /** Runs a program on that machine. */
  run: Run
}

/** A private network with a bridge for the first computer. */
export interface TestNetwork {
  /** The bridge, which has `address`/`prefixLength`. */
  interfaceName: string
  address: string
  prefixLength: number
  /** An empty folder that goes with the namespace. */
  directory: string
  addClient(name: string, mac: string): Promise<TestClient>
  /** Adds a tap on the bridge for a QEMU machine. */
  addTap(name: string): Promise<void>
}

/** What a module that `inNamespace` runs exports under the name `scenario`. */
export type Scenario<Input = never, Result = unknown> = (network: TestNetwork, input: Input) => Promise<Result>
