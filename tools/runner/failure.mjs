/** A failure that the person at the terminal can act on: its message is all they need to see. */
export class Failure extends Error {}
