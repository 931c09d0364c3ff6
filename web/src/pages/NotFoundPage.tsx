import { Link } from "@tanstack/react-router";
import { Page } from "../ui/Page";
import { Empty } from "../ui/states/states";

export function NotFoundPage() {
  return (
    <Page title="Page not found">
      <Empty title="There is nothing at this address">
        <p>
          Check the address, or go to the <Link to="/">overview</Link>.
        </p>
      </Empty>
    </Page>
  );
}
