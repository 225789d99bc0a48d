/** One sample of a metrics page: `tollgate_server_refused_total{reason="bad_request"}`; 0 where it is not there yet. */
export const metricValue = (page: string, sample: string): number => {
  const line = page.split('\n').find((each) => each.startsWith(`${sample} `));
  return line === undefined ? 0 : Number(line.slice(sample.length + 1));
};
