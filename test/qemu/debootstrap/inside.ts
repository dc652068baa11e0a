import { mkdir, writeFile } from 'node:fs/promises'
import { run, start } from '../../../appliance/run.ts'
import type { NewDemoEvent } from '../../../server/demo/event.ts'
import { createEventFeed } from '../../../server/demo/event-feed.ts'
import { demoPaths } from '../../../server/demo/options.ts'
import { performDemo } from '../../../server/demo/perform-demo.ts'
import { insideNamespace } from '../../../server/rack/inside-namespace.ts'
import { withRack } from '../../../server/rack/rack.ts'

/*
 * What runs inside the namespaces of the rack: the main job, in a place of its own beside that of `ingot demo`. Its only argument is a
 * `DebootstrapScene`; what the demo told is written to `result`.
 */

export interface DebootstrapScene {
  /** An empty directory. */
  directory: string
  /** Where the built appliance is. */
  appliance: string
  /** Folder of the recipe. */
  recipes: string
  result: string
}

const { directory, appliance, recipes, result } = JSON.parse(process.argv[2] ?? '{}') as DebootstrapScene
const paths = { ...demoPaths(directory), appliance }
const machine = { firmware: 'bios', nic: 'virtio-net-pci', disk: 'virtio', memoryMiB: 1024, machines: 1 } as const
const options = { ...machine, recipe: 'debian-12-debootstrap', recipes: [recipes], secureBoot: true, offline: false, json: true, keep: false, colours: false }

await insideNamespace(run, async (signal) => {
  await mkdir(paths.run, { recursive: true })
  const events: NewDemoEvent[] = []
  await withRack({ run, start }, ({ accelerator }) =>
    performDemo({ options, paths, feed: createEventFeed(), emit: (event) => void events.push(event), accelerator, run, start, signal }),
  )
  await writeFile(result, JSON.stringify(events))
  return 0
})
