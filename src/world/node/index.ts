/** The real world: Node's clock, sockets, files and process. Named by main and tests only. */

export { type CertificateOrder, type Issued, issueCertificate } from './certificate.ts';
export { machineName, nodeProcess } from './process.ts';
export { nodePrograms } from './program-pipe.ts';
export { nodeWorld } from './world.ts';
