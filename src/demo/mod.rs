pub mod airflow;
pub mod night;
