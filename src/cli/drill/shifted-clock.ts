/**
 * Loaded before a gateway that a drill starts, and by nothing else: its wall clock can be moved from outside, as that of a machine can.
 * The gateway reads the time by `Date` alone, so that this is what it would see.
 */
const TrueDate = Date;
let shiftMs = 0;

class ShiftedDate extends TrueDate {
  constructor(...given: [] | ConstructorParameters<DateConstructor>) {
    if (given.length === 0) super(ShiftedDate.now());
    else super(...given);
  }

  static override now(): number {
    return TrueDate.now() + shiftMs;
  }
}

globalThis.Date = ShiftedDate as DateConstructor;
process.on('message', (message: { gatehouseClockShiftMs?: unknown }) => {
  if (typeof message.gatehouseClockShiftMs === 'number') shiftMs = message.gatehouseClockShiftMs;
});
// To be told of the time must not keep a gateway from ending.
process.channel?.unref();
// Nor is it left over when the runner has gone.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
