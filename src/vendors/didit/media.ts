import type { Passes } from '../../policy/index.js';

/** What a caller may see beyond the lean view. */
export interface Rights {
  /** `pii:read` */
  pii: boolean;
  /** `didit:media`: pictures, videos, documents and the links to them; nothing without `pii:read`. */
  media: boolean;
  /** `verifications:link`: the hosted link of a session and its token. */
  link: boolean;
}

/** The rights that a set of scopes gives. */
export function rightsOf(scopes: ReadonlySet<string>): Rights {
  return {
    pii: scopes.has('pii:read'),
    media: scopes.has('didit:media'),
    link: scopes.has('verifications:link'),
  };
}

/** Members that hold a picture, a video or a file, now or by the look of their name in a later version of Didit's API. */
const MEDIA_NAME =
  /^(?:front|back)_image_camera_front$|(?:^|_)(?:images?|videos?|photos?|selfies?|portraits?|files?|thumbnails?|media|avatars?)(?:_(?:url|link|base64)s?)?$/i;

/** Members whose addresses are published sources of a screening, or the firm's own: a plain address passes, a signed one never. */
const PUBLIC_NAME = /^(?:source_urls?|other_sources|website|list_url)$/i;

/** Members that open a session's hosted page, or stand for a secret. */
const LINK_NAME = /(?:^|_)(?:session_url|session_token|share_token|secret_shared_key)$/i;
const SESSION_LINK = /\/session\/[\w-]{8,}/i;

const ADDRESS = /^\s*(?:[a-z][a-z0-9+.-]*:)?\/\//i;
const INLINE = /^\s*(?:data|blob):/i;
const SIGNED =
  /[?&#;](?:x-amz-[\w-]+|x-goog-[\w-]+|[\w-]*signature|sig|sign|[\w-]*token|policy|key-pair-id|expires|awsaccesskeyid|googleaccessid|s[evpr]|jwt|hmac|hash|auth|authorization|credential|secret|key|apikey|api_key)=/i;
/** First characters of PNG, JPEG, GIF, WebP, PDF, TIFF, HEIF and MP4 in base64. */
const MAGIC = /^(?:iVBORw0KGgo|\/9j\/|R0lGOD|UklGR|JVBERi|SUkqA|TU0AK|AAAA[A-Za-z0-9+/]{2}Zm?0eX|Qk[0-3])/;
const BASE64 = /^[A-Za-z0-9+/_\-\r\n]+={0,2}\s*$/;
const LONG = 256;
const SHORT_PICTURE = 24;

/** Text in base64 that is long, or that begins as a picture or document does. Judged by its beginning: prose has blanks early on. */
function isEncodedFile(text: string): boolean {
  if (text.length < SHORT_PICTURE) return false;
  const beginning = text.trimStart().slice(0, LONG);
  return (beginning.length === LONG || MAGIC.test(beginning)) && BASE64.test(beginning);
}

const isSigned = (text: string) => text.includes('//') && SIGNED.test(text);

/** Whether a text shows what media rights are for, whatever its member is called. `open`: plain addresses are no matter here. */
function isMedia(name: string, text: string, open: boolean): boolean {
  if (INLINE.test(text) || isEncodedFile(text) || isSigned(text)) return true;
  return !open && (MEDIA_NAME.test(name) || (ADDRESS.test(text) && !PUBLIC_NAME.test(name)));
}

/**
 * For callers with `pii:read`: all but media and links, as far as the rights do not reach. Fails closed: an address in a member that
 * nobody knows is taken for media.
 */
export const personal =
  (rights: Rights): Passes =>
  (name, text) =>
    (rights.link || !(LINK_NAME.test(name) || SESSION_LINK.test(text))) &&
    (rights.media || !isMedia(name, text, false));

/** The same for words that the client itself wrote, and for published sources: a plain address in them is no media. */
export const ownWords =
  (rights: Rights): Passes =>
  (name, text) =>
    (rights.link || !SESSION_LINK.test(text)) && (rights.media || !isMedia(name, text, true));

const LONGEST = 256;

/** For callers without `pii:read`: a kept text must be a plain short one. No id, status or date is an address or of that length. */
export const plain: Passes = (_name, text) =>
  text.length <= LONGEST && !INLINE.test(text) && !text.includes('//') && !isEncodedFile(text);

const LONGEST_SENTENCE = 1_024;

/** For the sentences of errors, which every caller may read. */
export const sentence: Passes = (_name, text) =>
  text.length <= LONGEST_SENTENCE && !INLINE.test(text) && !isSigned(text) && !isEncodedFile(text);
