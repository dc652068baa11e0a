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

/** Stage 2: the disks of the inventory, and what tells the firmware's state. */
export const storageModules: ModuleList = {
  include: [
    'drivers/ata/',
    'drivers/nvme/host/nvme.ko',
    'drivers/block/virtio_blk.ko',
    'drivers/block/xen-blkfront.ko',
    'drivers/virtio/virtio_pci.ko',
    'drivers/virtio/virtio_mmio.ko',
    'drivers/scsi/',
    'drivers/message/fusion/',
    'drivers/pci/controller/vmd.ko',
    'drivers/mmc/core/mmc_block.ko',
    'drivers/mmc/host/sdhci-acpi.ko',
    'drivers/mmc/host/sdhci-pci.ko',
    'drivers/usb/host/ehci-pci.ko',
    'drivers/usb/host/xhci-pci.ko',
    'drivers/usb/storage/uas.ko',
    'drivers/usb/storage/usb-storage.ko',
    'drivers/block/loop.ko',
    'fs/efivarfs/efivarfs.ko',
    'fs/squashfs/squashfs.ko',
    'fs/overlayfs/overlay.ko',
  ],
  exclude: [
    'drivers/ata/pata_pcmcia.ko',
    'drivers/scsi/pcmcia/',
    'drivers/scsi/scsi_debug.ko',
    // Storage over a network: never the disk that a job installs to.
    'drivers/scsi/be2iscsi/',
    'drivers/scsi/bnx2fc/',
    'drivers/scsi/bnx2i/',
    'drivers/scsi/csiostor/',
    'drivers/scsi/cxgbi/',
    'drivers/scsi/fcoe/',
    'drivers/scsi/fnic/',
    'drivers/scsi/iscsi_tcp.ko',
    'drivers/scsi/qedf/',
    'drivers/scsi/qedi/',
    'drivers/scsi/snic/',
    'drivers/scsi/qla4xxx/',
    'drivers/scsi/bfa/',
    'drivers/scsi/lpfc/',
    'drivers/scsi/qla2xxx/',
    // Tapes, CD-ROMs and changers.
    'drivers/scsi/ch.ko',
    'drivers/scsi/sr_mod.ko',
    'drivers/scsi/st.ko',
  ],
}

/** Tools: filesystems and block layers that only the steps of a job use. */
export const jobModules: ModuleList = {
  include: [
    'fs/btrfs/btrfs.ko',
    'fs/ext4/ext4.ko',
    'fs/fat/vfat.ko',
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
