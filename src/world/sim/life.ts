/** Whether a simulated process lives. What it left behind, promises included, does nothing once it is over. */
export interface Life {
  over: boolean;
}
