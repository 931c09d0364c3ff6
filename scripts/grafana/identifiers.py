"""What Grafana knows us by; the provisioning files in monitoring/grafana/ say the same, as a test holds."""

from pathlib import Path

TAG = "pulsequeue"
FOLDER_UID = "pulsequeue"
FOLDER_TITLE = "PulseQueue"
DATASOURCE_UID = "pulsequeue-prometheus"
DATASOURCE_NAME = "PulseQueue Prometheus"

DASHBOARDS = Path(__file__).resolve().parents[2] / "monitoring" / "grafana"
"""Where the generated dashboards are kept."""

DATASOURCE_SETTINGS = {
    "httpMethod": "POST",
    "prometheusType": "Prometheus",
    # The numbers move once a minute, however often they are scraped; $__rate_interval is four times this.
    "timeInterval": "1m",
}
