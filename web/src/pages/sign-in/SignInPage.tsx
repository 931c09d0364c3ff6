import { useSearch } from "@tanstack/react-router";
import { FormFrame } from "../../ui/FormFrame";
import { SignInLinks } from "../../ui/SignInLinks";

export function SignInPage() {
  const { next = "/" } = useSearch({ from: "/sign-in" });
  return (
    <FormFrame title="Sign in to PulseQueue" lead="Orders, sales and recurring revenue of your shop.">
      <SignInLinks next={next} />
      <p className="muted">
        {next === "/"
          ? "No account? Ask an administrator of your organisation for an invitation."
          : "You come back to the page where you were."}
      </p>
    </FormFrame>
  );
}
