/** An IPv4 address as it is written, for example `10.77.0.100` of `::ffff:10.77.0.100`, which a socket for both kinds shows (RFC 4291, 2.5.5.2); any other as it is. */
export const ipv4Of = (address: string): string => address.replace(/^::ffff:/, '')
