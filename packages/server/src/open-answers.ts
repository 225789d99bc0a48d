/** Answers under way: while the server stops, each says that its connection ends, so that its asker goes to another server next. */
import type { RequestHandler, Response } from 'express';

export interface OpenAnswers {
  readonly watch: RequestHandler;
  /** No kept connection holds up the stop. */
  endConnections(): void;
}

export const makeOpenAnswers = (): OpenAnswers => {
  const open = new Set<Response>();
  let isEnding = false;
  return {
    watch: (_request, response, next) => {
      if (isEnding) response.set('Connection', 'close');
      open.add(response);
      response.once('close', () => open.delete(response));
      next();
    },
    endConnections: () => {
      isEnding = true;
      for (const response of open) if (!response.headersSent) response.set('Connection', 'close');
    },
  };
};
