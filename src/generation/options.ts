import { duration, type Option, option } from '../config/index.ts';
import { apiStoreFile } from './api-store.ts';
import { sandboxBinding } from './sandbox.ts';

const scope = 'msg_gen';
export const scheduledIntervalDelete = option('scheduled_interval_delete', duration, { scope });
export const startTimeMaxScheduleInterval = option('start_time_max_schedule_interval', duration, { scope });

export const generationOptions: readonly Option<unknown>[] = [
  apiStoreFile,
  sandboxBinding,
  scheduledIntervalDelete,
  startTimeMaxScheduleInterval,
];

/** Stanzas that this room reads. */
export const generationStanzas: readonly string[] = [scope];
