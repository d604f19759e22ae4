/** Published bytes that the server has not confirmed yet; more are dropped. */
const UNCONFIRMED_BYTES = 16_777_216;
/** A confirmation is asked for after so many. */
const CONFIRM_BYTES = 1_048_576;

/**
 * Bounds what is on its way to a server that takes it slowly: the client itself would keep any amount. `confirm`
 * resolves once the server has taken all that was published before its call.
 */
export class OutboundFlow {
  private unconfirmed = 0;
  private sinceAsked = 0;

  constructor(private readonly confirm: () => Promise<void>) {}

  /** Whether so many bytes may be published now; they count from then on. */
  take(bytes: number): boolean {
    if (this.unconfirmed + bytes > UNCONFIRMED_BYTES) return false;
    this.unconfirmed += bytes;
    this.sinceAsked += bytes;
    if (this.sinceAsked < CONFIRM_BYTES) return true;
    const asked = this.sinceAsked;
    this.sinceAsked = 0;
    this.confirm().then(
      () => (this.unconfirmed -= asked),
      () => (this.unconfirmed -= asked),
    );
    return true;
  }
}
