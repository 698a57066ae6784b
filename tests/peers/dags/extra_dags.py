"""What the shared example DAGs lack: a run that still runs although a task of it has finally failed."""
import datetime as dt

import pendulum
from airflow.sdk import DAG, task

with DAG(
    "doomed_run",
    schedule="@daily",
    start_date=pendulum.datetime(2026, 3, 1, tz="Asia/Seoul"),
    catchup=False,
    default_args={"owner": "order-platform", "retries": 0, "retry_delay": dt.timedelta(seconds=5)},
):

    @task(task_id="bad")
    def bad():
        raise RuntimeError("column order_ts is gone")

    @task.sensor(task_id="wait", poke_interval=3600, timeout=86400, mode="reschedule")  # keeps the run running, holds no slot
    def wait():
        return False

    bad()
    wait()
