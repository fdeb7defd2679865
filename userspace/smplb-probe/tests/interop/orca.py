# SPDX-License-Identifier: MIT OR Apache-2.0
"""An ORCA server by grpcio, whose messages are those of xds-protos: `python3 orca.py MODE PORT`.

MODE: `first` reports at once and then at intervals, as gRFC A51 has it; `slow` reports only after five
intervals; `unimplemented` has no such service; `refuse` ends every call; `wild` has figures that cannot be.
"""

import sys
import threading
from concurrent import futures

import grpc
from xds.data.orca.v3 import orca_load_report_pb2
from xds.service.orca.v3 import orca_pb2

MODE, PORT = sys.argv[1:]


def report():
    message = orca_load_report_pb2.OrcaLoadReport(
        cpu_utilization=0.8210, mem_utilization=0.5847, rps_fractional=77.5, eps=0.5
    )
    message.utilization["util"] = 0.30499
    message.named_metrics["smplb.clients"] = 12
    message.named_metrics["smplb.exec_seconds"] = 0.0125
    message.named_metrics["smplb.label.gpu"] = 1
    if MODE == "wild":
        message.cpu_utilization = float("nan")
        message.rps_fractional = -5
    return message


def stream(request, context):
    if MODE == "refuse":
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many clients")
    gone = threading.Event()
    context.add_callback(gone.set)
    interval = request.report_interval.ToTimedelta().total_seconds()
    if MODE == "slow":
        gone.wait(5 * interval)
    while not gone.is_set():
        yield report()
        gone.wait(interval)


METHOD = grpc.unary_stream_rpc_method_handler(
    stream,
    request_deserializer=orca_pb2.OrcaLoadReportRequest.FromString,
    response_serializer=orca_load_report_pb2.OrcaLoadReport.SerializeToString,
)
NAME = "xds.service.orca.v3.OpenRcaService"
server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
if MODE != "unimplemented":
    handler = grpc.method_handlers_generic_handler(NAME, {"StreamCoreMetrics": METHOD})
    server.add_generic_rpc_handlers((handler,))
print(server.add_insecure_port(f"127.0.0.1:{PORT}"), flush=True)
server.start()
sys.stdin.readline()
# GOAWAY, and the calls have this long to end.
server.stop(20).wait()
