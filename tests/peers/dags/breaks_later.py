"""Loads at first; the test then breaks the file, so that Airflow knows the DAG and an import error of its file."""
import pendulum
from airflow.sdk import DAG, task

with DAG("breaks_later", schedule=None, start_date=pendulum.datetime(2026, 3, 1, tz="Asia/Seoul")):

    @task(task_id="only")
    def only():
        pass

    only()
