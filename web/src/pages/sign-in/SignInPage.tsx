import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { providersQuery, signInAddress } from "../../api/session";
import { FormFrame } from "../../ui/FormFrame";

export function SignInPage() {
  const { next = "/" } = useSearch({ from: "/sign-in" });
  const { data: providers = [] } = useQuery(providersQuery);
  return (
    <FormFrame title="Sign in to PulseQueue" lead="Orders, sales and recurring revenue of your shop.">
      <a className="button primary" href={signInAddress(next)}>
        Sign in
      </a>
      {providers.map((provider) => (
        <a key={provider} className="button" href={signInAddress(next, provider)}>
          Continue with {provider}
        </a>
      ))}
      <p className="muted">
        {next === "/"
          ? "No account? Ask an administrator of your organisation for an invitation."
          : "You come back to the page where you were."}
      </p>
    </FormFrame>
  );
}
