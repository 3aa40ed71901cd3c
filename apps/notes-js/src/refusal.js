// An answer that is no fault of the app's: thrown where it is found out, answered in app.js.
export class Refusal extends Error {
  constructor(status, message, headers = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}
