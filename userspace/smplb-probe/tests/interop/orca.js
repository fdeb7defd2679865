// SPDX-License-Identifier: MIT OR Apache-2.0
// An ORCA server by grpc-js: `node orca.js FOLDER-OF-NODE_MODULES PORT`.
// A line on its standard input makes it go away: `quietly` by GOAWAY and an end when no call is left.
'use strict';
const grpc = require(require.resolve('@grpc/grpc-js', { paths: [process.argv[2]] }));

const recorder = new grpc.ServerMetricRecorder();
recorder.setCpuUtilizationMetric(0.8210);
recorder.setApplicationUtilizationMetric(1.25);
recorder.setQpsMetric(1234.5);
recorder.setEpsMetric(2.5);
recorder.putUtilizationMetric('util', 0.30499);

const server = new grpc.Server();
recorder.addToServer(server);
const addr = `127.0.0.1:${process.argv[3]}`;
server.bindAsync(addr, grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});
process.stdin.once('data', () => server.tryShutdown(() => process.exit(0)));
