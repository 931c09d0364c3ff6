import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { adjustStock, type StockedProduct } from "../../api/inventory";
import { count } from "../../lib/format";
import { FormDialog } from "../../ui/FormDialog";

const WHOLE = /^[+-]?\d{1,9}$/;

/** Shows what the shelf will hold before it is asked for. */
export function AdjustDialog({ product, close }: { product: StockedProduct; close: () => void }) {
  const queries = useQueryClient();
  const [text, setText] = useState("");
  const delta = WHOLE.test(text.trim()) ? Number(text) : 0;
  const request = useMutation({
    mutationFn: async () => {
      if (delta === 0) throw new Error("Write a whole number other than 0, such as 24 or -3.");
      return await adjustStock(product.sku, delta);
    },
    onSuccess: async () => {
      close();
      await queries.invalidateQueries({ queryKey: ["inventory"] });
    },
  });
  return (
    <FormDialog
      title={`Adjust the stock of ${product.name ?? product.sku}`}
      action="Adjust stock"
      keep="Close"
      request={request}
      close={close}
    >
      <p>
        {count(product.stock)} on the shelf, {count(product.reserved)} of them held by orders. Units that
        orders hold cannot be taken.
      </p>
      <label className="field">
        Units to add, or with a minus to take
        <input
          required
          inputMode="numeric"
          autoComplete="off"
          value={text}
          placeholder="24 or -3"
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      <p role="status">
        {delta === 0 ? "Nothing changes yet." : `Then ${count(product.stock + delta)} are on the shelf.`}
      </p>
    </FormDialog>
  );
}
