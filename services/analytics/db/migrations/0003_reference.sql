-- What no event tells: it is brought in by people, and outlives a rebuild.

-- How much of the tenant's reporting currency one unit of a currency is worth, from a day on.
CREATE TABLE fx_rates (
  tenant_id text COLLATE "C" NOT NULL,
  currency text COLLATE "C" NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  valid_from date NOT NULL,
  rate numeric(20, 10) NOT NULL CHECK (rate > 0),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, currency, valid_from)
);
SELECT adopt('fx_rates');
GRANT SELECT ON fx_rates TO pulsequeue_projector;

CREATE TABLE marketing_campaigns (
  tenant_id text COLLATE "C" NOT NULL,
  campaign_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  channel text NOT NULL,
  region text,
  starts_on date NOT NULL,
  ends_on date CHECK (ends_on >= starts_on),
  budget_minor bigint NOT NULL CHECK (budget_minor >= 0),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, campaign_id)
);
SELECT adopt('marketing_campaigns');
