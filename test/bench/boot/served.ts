import { rackNetwork } from '../../../server/rack/network.ts'

/**
 * What both sides are served by. Router and name server lead nowhere; without them the installer stops at two questions that even `priority=critical`
 * does not leave out.
 */
export const served = {
  interfaceName: rackNetwork.bridge,
  address: rackNetwork.address,
  prefixLength: rackNetwork.prefixLength,
  port: 8080,
  range: { first: '10.77.0.100', last: '10.77.0.199' },
  router: rackNetwork.address,
  nameServers: [rackNetwork.address],
}
