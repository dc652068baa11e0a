import type { RecipeCheck } from '../../images/recipe.ts'

/**
 * The kernel itself says that the firmware enforces Secure Boot and that shim has not been told to pass over it: the variables `SecureBoot`,
 * `SetupMode` and `MokSBStateRT`. Source: UEFI specification 2.10, section 3.3; Linux 6.1, drivers/firmware/efi/libstub/secureboot.c.
 */
export const secureBootCheck: RecipeCheck = { run: "dmesg | grep -F 'secureboot: Secure boot enabled'" }
