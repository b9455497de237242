/** Where a socket listens or connects to, in canonical form. */
export type Endpoint =
  | { readonly kind: 'tcp'; readonly ip: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };
