"""The domain: takes a government service onto AWS and proves that nothing was lost. Knows no Airflow."""
