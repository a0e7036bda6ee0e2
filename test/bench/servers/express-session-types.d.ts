// The types of the field give `request.session` another type than the sidecar does, in the same program.
declare module 'express-session' {
  import type { RequestHandler } from 'express';

  export interface SessionData {
    user?: import('../reference-session.ts').ReferenceSession;
  }
  export class Store {}
  export default function session(options: {
    readonly store: Store;
    readonly secret: string;
    readonly resave: boolean;
    readonly saveUninitialized: boolean;
    readonly cookie: { readonly maxAge: number; readonly sameSite: 'lax' };
  }): RequestHandler;
}
