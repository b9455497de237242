import { inMillis } from '../../base/index.ts';
import { capabilities, type EcstreamServerSettings } from '../../ecstream/index.ts';
import type { Client } from '../client.ts';
import { mustAuthenticate } from '../login/authentication.ts';
import { ecstreamIdleTime, maxRecipientsPerMessage } from '../options.ts';
import type { Settings } from '../settings.ts';

/** Messages and bytes that a client may have under way (spec ecstream 4). */
export const WINDOW_MESSAGES = 256;
export const WINDOW_BYTES = 16 * 1024 * 1024;
const MAX_FRAME = 1024 * 1024;
/** Where no option says how many recipients a message may have. */
const MOST_RECIPIENTS = 1000;

export function streamSettings({ view, hostName, server }: Settings, client: Client): EcstreamServerSettings {
  const most = view.get(maxRecipientsPerMessage);
  return {
    hostName,
    maxRecipients: most > 0 ? Math.min(most, 0xffff) : MOST_RECIPIENTS,
    maxFrame: MAX_FRAME,
    maxMessage: Math.min(server.maxMessageSize, 0xffff_ffff),
    windowMessages: WINDOW_MESSAGES,
    windowBytes: WINDOW_BYTES,
    idle: inMillis(view.get(ecstreamIdleTime)),
    auth: mustAuthenticate(view, client),
    capabilities: ALL,
  };
}

const ALL = capabilities.ids | capabilities.dedup | capabilities.crc | capabilities.deflate;
