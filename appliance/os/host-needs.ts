/** A program of the host that building the appliance runs, and the Debian package that brings it. */
export const buildNeeds = [
  { program: 'apt-get', debianPackage: 'apt' },
  { program: 'apt-cache', debianPackage: 'apt' },
  { program: 'dpkg-deb', debianPackage: 'dpkg' },
  { program: 'mksquashfs', debianPackage: 'squashfs-tools' },
  { program: 'strip', debianPackage: 'binutils' },
] as const
