-- Additive: history that a file brings in. Its events are kept by chunk, and not emptied before a rebuild: no archive
-- has them.
CREATE TABLE imports (
  tenant_id text COLLATE "C" NOT NULL,
  import_id text COLLATE "C" NOT NULL,
  kind text NOT NULL CHECK (kind IN ('orders', 'subscriptions')),
  file_name text NOT NULL,
  -- How its columns were understood.
  mapping jsonb NOT NULL,
  records bigint NOT NULL,
  rejected bigint NOT NULL,
  chunks bigint NOT NULL,
  -- Once its removal has begun, no more chunks are taken.
  removing boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, import_id)
);
SELECT adopt('imports');

CREATE TABLE import_chunks (
  tenant_id text COLLATE "C" NOT NULL,
  import_id text COLLATE "C" NOT NULL,
  chunk bigint NOT NULL,
  -- A list of {"event": name, "detail": {...}}.
  events jsonb NOT NULL,
  event_count bigint NOT NULL,
  -- Whether the events are in the inbox: not between the two halves of a rebuild.
  applied boolean NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, import_id, chunk)
);
SELECT adopt('import_chunks');

-- The first event of its own that an imported order gets tells of no payment yet.
GRANT DELETE ON payments TO pulsequeue_projector;

-- What came back of a line of an imported order.
ALTER TABLE order_items ADD COLUMN returned bigint NOT NULL DEFAULT 0;
ALTER TABLE order_items ADD COLUMN returned_minor bigint NOT NULL DEFAULT 0;
-- In a block, because the check replaces a narrower one: whatever earlier code writes still passes. A product may have
-- come back with an order that did not sell it.
DO $$
BEGIN
  ALTER TABLE order_items
    DROP CONSTRAINT order_items_quantity_check,
    ADD CONSTRAINT order_items_quantity_check CHECK (quantity >= 0);
END
$$;
