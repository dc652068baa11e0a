import type { ModuleList } from './select-modules.ts'

const network = [
  'amazon/', 'amd/pcnet32.ko', 'amd/xgbe/', 'aquantia/', 'atheros/', 'broadcom/', 'chelsio/cxgb4/', 'chelsio/cxgb4vf/', 'cisco/',
  'dec/tulip/tulip.ko', 'emulex/', 'google/', 'huawei/', 'intel/', 'jme.ko', 'marvell/', 'mellanox/mlx4/', 'mellanox/mlx5/',
  'microchip/lan743x.ko', 'microsoft/', 'nvidia/', 'realtek/', 'sfc/sfc.ko',
]
const phy = ['at803x', 'broadcom', 'marvell', 'micrel', 'microchip', 'realtek', 'smsc']

/**
 * Stage 1: what leads to the boot server by cable, and what mounts stage 2. Every byte of it goes through the slow loaders of the firmware,
 * so it carries the cards of machines since PCI Express and those of virtual machines; cards of older buses are left out, and so are cards
 * that are dead without firmware of megabytes (bna, liquidio, nfp, qed).
 */
export const networkModules: ModuleList = {
  include: [
    ...network.map((entry) => `drivers/net/ethernet/${entry}`),
    ...phy.map((name) => `drivers/net/phy/${name}.ko`),
    'drivers/net/virtio_net.ko',
    'drivers/net/vmxnet3/',
    'drivers/net/hyperv/',
    'drivers/net/xen-netfront.ko',
    'drivers/virtio/virtio_pci.ko',
    'drivers/virtio/virtio_mmio.ko',
    'drivers/char/hw_random/virtio-rng.ko',
    'drivers/block/loop.ko',
    'fs/squashfs/squashfs.ko',
    'fs/overlayfs/overlay.ko',
  ],
  exclude: [
    // Needs the bus of old laptops, and with it PC Card support.
    'drivers/net/ethernet/broadcom/b44.ko',
    // An offload on top of a network card, not a way to reach the boot server.
    'drivers/net/ethernet/broadcom/cnic.ko',
  ],
}

const ata = [
  'acard-ahci', 'ahci', 'ata_generic', 'ata_piix', 'sata_mv', 'sata_nv', 'sata_promise', 'sata_sil', 'sata_sil24', 'sata_sis',
  'sata_svw', 'sata_uli', 'sata_via', 'sata_vsc',
]
const scsi = [
  '3w-9xxx.ko', '3w-sas.ko', 'aacraid/', 'arcmsr/', 'BusLogic.ko', 'esas2r/', 'hpsa.ko', 'hptiop.ko', 'hv_storvsc.ko', 'isci/',
  'megaraid/megaraid_sas.ko', 'mpi3mr/', 'mpt3sas/', 'mvsas/', 'mvumi.ko', 'pm8001/', 'sd_mod.ko', 'smartpqi/', 'stex.ko', 'sym53c8xx_2/',
  'virtio_scsi.ko', 'vmw_pvscsi.ko', 'xen-scsifront.ko',
]

/**
 * Inventory: the disks that a job may install to, and what tells the firmware's state. Left out are tapes and CD-ROMs, disks
 * behind a network (Fibre Channel, iSCSI), and the parallel buses of machines older than PCI Express except those that virtual machines have.
 */
export const storageModules: ModuleList = {
  include: [
    ...ata.map((name) => `drivers/ata/${name}.ko`),
    ...scsi.map((entry) => `drivers/scsi/${entry}`),
    'drivers/message/fusion/mptsas.ko',
    'drivers/message/fusion/mptspi.ko',
    'drivers/nvme/host/nvme.ko',
    'drivers/pci/controller/vmd.ko',
    'drivers/block/virtio_blk.ko',
    'drivers/block/xen-blkfront.ko',
    'drivers/virtio/virtio_pci.ko',
    'drivers/virtio/virtio_mmio.ko',
    'drivers/mmc/core/mmc_block.ko',
    'drivers/mmc/host/sdhci-acpi.ko',
    'drivers/mmc/host/sdhci-pci.ko',
    'drivers/usb/host/ehci-pci.ko',
    'drivers/usb/host/xhci-pci.ko',
    'drivers/usb/storage/uas.ko',
    'drivers/usb/storage/usb-storage.ko',
    'drivers/block/loop.ko',
    'fs/squashfs/squashfs.ko',
    'fs/overlayfs/overlay.ko',
  ],
  exclude: [],
}

/** Tools: filesystems and block layers that only the steps of a job use. */
export const jobModules: ModuleList = {
  include: [
    'fs/btrfs/btrfs.ko',
    'fs/ext4/ext4.ko',
    'fs/fat/vfat.ko',
    'fs/fuse/fuse.ko',
    'fs/nls/nls_ascii.ko',
    'fs/nls/nls_cp437.ko',
    'fs/nls/nls_iso8859-1.ko',
    'fs/nls/nls_utf8.ko',
    'fs/xfs/xfs.ko',
    'drivers/md/dm-crypt.ko',
    'drivers/md/dm-mod.ko',
    'drivers/md/dm-snapshot.ko',
    'drivers/md/md-mod.ko',
    'drivers/md/raid0.ko',
    'drivers/md/raid1.ko',
    'drivers/md/raid10.ko',
    'drivers/md/raid456.ko',
  ],
  exclude: [],
}
