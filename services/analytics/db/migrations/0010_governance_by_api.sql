-- Additive: administrators of a tenant change its visibility and rules over the API, within their own tenant (policy
-- `tenant`). A tenant without events gets its row, and with it the defaults, by the first change.
GRANT INSERT (tenant_id) ON tenants TO pulsequeue_api;
GRANT INSERT, UPDATE (visible) ON role_metric_visibility TO pulsequeue_api;
GRANT INSERT, UPDATE (setting), DELETE ON governance_rules TO pulsequeue_api;
