/**
 * The Lambda runtimes that the functions run on, oldest first: the values of the input `lambda_runtime`. The bundles are
 * made for the first.
 */
export const lambdaRuntimes = ["nodejs22.x", "nodejs24.x", "nodejs26.x"] as const;
