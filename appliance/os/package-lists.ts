/** Debian packages whose files go into the appliance. A library that none of them holds makes the build fail, naming it. */
export const packageNames = [
  'busybox-static',
  'dosfstools',
  'dmsetup',
  'e2fsprogs',
  'fdisk',
  'firmware-bnx2',
  'firmware-bnx2x',
  'firmware-misc-nonfree',
  'firmware-realtek',
  'libacl1',
  'libatomic1',
  'libblkid1',
  'libc6',
  'libcom-err2',
  'libdevmapper1.02.1',
  'libext2fs2',
  'libfdisk1',
  'libgcc-s1',
  'liblz4-1',
  'liblzma5',
  'libmount1',
  'libncursesw6',
  'libpcre2-8-0',
  'libreadline8',
  'libselinux1',
  'libsmartcols1',
  'libss2',
  'libssl3',
  'libstdc++6',
  'libtinfo6',
  'libudev1',
  'libuuid1',
  'libzstd1',
  'mount',
  'partclone',
  'tar',
  'util-linux',
  'zlib1g',
  'zstd',
]

/** Depends on the kernel package that is current and signed by Debian. */
export const kernelPackage = 'linux-image-amd64'

/** Programs of stage 2 besides busybox: what the inventory asks. */
export const stage2Programs = ['bin/lsblk', 'sbin/blkid', 'usr/bin/lscpu']

/** Programs of the tools component. */
export const toolPrograms = [
  'bin/findmnt',
  'bin/mount',
  'bin/tar',
  'bin/umount',
  'sbin/blkdiscard',
  'sbin/blockdev',
  'sbin/dmsetup',
  'sbin/dumpe2fs',
  'sbin/e2fsck',
  'sbin/fsck.ext4',
  'sbin/fsck.vfat',
  'sbin/fsfreeze',
  'sbin/losetup',
  'sbin/mkfs.ext4',
  'sbin/mkfs.vfat',
  'sbin/mkswap',
  'sbin/resize2fs',
  'sbin/sfdisk',
  'sbin/tune2fs',
  'sbin/wipefs',
  'usr/bin/unshare',
  'usr/bin/zstd',
  'usr/sbin/partclone.chkimg',
  'usr/sbin/partclone.extfs',
  'usr/sbin/partclone.fat',
  'usr/sbin/partclone.info',
  'usr/sbin/partclone.restore',
  'usr/sbin/partclone.vfat',
]

/** Firmware that a module of stage 1 names and the packages hold, but stage 1 leaves out: the card works without it. */
export const unneededFirmware = /^(bnx2x\/.*-7\.13\.15\.0\.fw|cxgb4\/|e100\/|intel\/ice\/)/
