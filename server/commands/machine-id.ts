/** A machine's id as it is kept: a MAC address in any of the usual ways of writing becomes `52-54-00-12-34-56`, another name stays as it is. */
export const machineId = (text: string): string => (/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text) ? text.toLowerCase().replaceAll(':', '-') : text)
