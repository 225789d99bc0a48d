/** What a request asks of the model, read out of whichever format it came in. */
export interface Segment {
  readonly text: string;
  readonly tokens: number;
  /** Anthropic's `cache_control` on this block. */
  readonly breakpoint: '5m' | '1h' | null;
}

export interface AskedTool {
  readonly name: string;
  /** JSON schema of its arguments. */
  readonly parameters: unknown;
}

export interface Ask {
  readonly model: string;
  /** In the order in which a provider caches: tools, system, messages. */
  readonly segments: readonly Segment[];
  readonly audioInputTokens: number;
  /** Per choice; null = the caller gave none. */
  readonly outputCap: number | null;
  readonly choices: number;
  /** Answers generated and billed, where more than are returned (`best_of`). */
  readonly generated: number;
  readonly stream: boolean;
  /** `stream_options.include_usage`; formats that always report say true. */
  readonly includeUsage: boolean;
  readonly tools: readonly AskedTool[];
  readonly toolChoice: { readonly mode: 'auto' | 'none' | 'required'; readonly name: string | null };
  /** The newest thing said by the user, and the newest tool result if that came last. */
  readonly lastUserText: string;
  readonly toolResult: string | null;
  /** Structured output: the schema to answer by. */
  readonly jsonSchema: unknown;
  /** Thinks before it answers; `visible` = the thoughts are part of the answer (Anthropic). */
  readonly reasoning: 'none' | 'hidden' | 'visible';
  readonly audioOutput: boolean;
  readonly caching: 'prefix' | 'breakpoints' | 'none';
}

/** A request that the provider would refuse. */
export interface AskFault {
  readonly fault: { readonly status: number; readonly message: string; readonly param: string | null };
}

export const askFault = (message: string, param: string | null = null, status = 400): AskFault => ({
  fault: { status, message, param },
});

export const isFault = (ask: object): ask is AskFault => 'fault' in ask;
