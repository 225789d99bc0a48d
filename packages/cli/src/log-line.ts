/** Which lines of the processes below a person should see without asking: warnings, errors, and what is no log line at all. */
export const isNews = (line: string): boolean => !/^\{.*"level":"(?:info|debug)"/.test(line);
