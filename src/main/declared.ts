import { apiOptions } from '../api/index.ts';
import { authDsStanzas, authOptions } from '../auth/index.ts';
import { bounceOptions } from '../bounce/index.ts';
import type { Option } from '../config/index.ts';
import { consoleOptions, consoleStanzas } from '../console/index.ts';
import { datasourceOptions, datasourceStanzas } from '../datasource/index.ts';
import { deliveryOptions, hostname } from '../delivery/index.ts';
import { generationOptions, generationStanzas } from '../generation/index.ts';
import { httpOptions } from '../http/index.ts';
import { listenerOptions } from '../listener/index.ts';
import {
  bounceLogger,
  conntrol,
  ecLogger,
  httpLogger,
  logHiresTimestamp,
  type ModuleDefinition,
} from '../modules/index.ts';
import { queueOptions } from '../queue/index.ts';
import { receptionOptions } from '../reception/index.ts';
import { shapingOptions } from '../shaping/index.ts';
import { spoolOptions } from '../spool/index.ts';
import { tlsOptions } from '../tls/index.ts';
import { memoryOptions } from './memory-watch.ts';
import { resolvConf } from './names.ts';
import { pidfile } from './pid-file.ts';

/** The modules that come with the server. */
export const modules: readonly ModuleDefinition[] = [ecLogger, bounceLogger, conntrol, httpLogger];

/** Stanzas that something reads beyond the core scopes. */
export const moduleNames: readonly string[] = [
  ...modules.map((definition) => definition.name),
  ...consoleStanzas,
  ...datasourceStanzas,
  ...authDsStanzas,
  ...generationStanzas,
];

/** Every option that some room or module reads: what is in the catalogue and not here is `not implemented yet`. */
export const declaredOptions: readonly Option<unknown>[] = [
  hostname,
  resolvConf,
  pidfile,
  logHiresTimestamp,
  ...consoleOptions,
  ...authOptions,
  ...datasourceOptions,
  ...memoryOptions,
  ...listenerOptions,
  ...httpOptions,
  ...apiOptions,
  ...generationOptions,
  ...receptionOptions,
  ...spoolOptions,
  ...queueOptions,
  ...shapingOptions,
  ...deliveryOptions.filter((option) => option !== hostname),
  ...bounceOptions,
  ...tlsOptions,
  ...modules.flatMap((definition) => definition.options),
];
