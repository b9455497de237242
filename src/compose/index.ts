/** Messages made of parts: header fields that cannot be broken into, encodings, MIME; and messages that are filled in. */

export { fromBase64 } from './encode.ts';
export { type Field, fieldText, hasControls, isFieldName, isFoldable, mailboxText } from './fields.ts';
export { type Address, type Mailbox, mailboxOf, parseAddressText, splitList } from './mailbox.ts';
export { isMediaType, mediaTypeOf } from './media-type.ts';
export { attachment, buildMessage, type EncodedFile, inlineImage, type MessageParts } from './message.ts';
export { compileRfc822, MimeError, type Rfc822 } from './rfc822.ts';
