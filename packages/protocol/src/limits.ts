/** Largest frame that is taken, in bytes of its UTF-8 text. */
export const frameBytesMax = 64 * 1024;

/**
 * Largest frame that is still read, in bytes, only to be refused politely (close 1009 with a reason). What is
 * larger cuts the connection before it is read, so that nobody fills a gateway's memory.
 */
export const frameBytesReadMax = 1024 * 1024;

/** Longest `id` that is taken, in characters (code points). A `type` has no limit but that of its frame. */
export const idCharactersMax = 128;

/** Longest `group_name`, in characters (code points). */
export const groupNameCharactersMax = 100;

/** Longest `verification_code`, in characters (code points). */
export const verificationCodeCharactersMax = 64;

/**
 * Most faulty elements of one list that are named; a last line counts the others. A frame of 64 KiB has room for
 * 32,000, and its answer would be 25 times its size.
 */
export const listFaultsMax = 100;
